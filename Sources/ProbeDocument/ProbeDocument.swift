// ProbeDocument
