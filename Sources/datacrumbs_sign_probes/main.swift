SignProbes.main()
