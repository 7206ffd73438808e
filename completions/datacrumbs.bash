# bash completion of the DataCrumbs programs.

_datacrumbs_service() {
  local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]} words
  case $before in
    --probe-file | --work-dir | --marker | --plugin)
      mapfile -t COMPREPLY < <(compgen -f -- "$word")
      return
      ;;
    --scheduler)
      mapfile -t COMPREPLY < <(compgen -W "SLURM FLUX NONE" -- "$word")
      return
      ;;
    --job)
      mapfile -t COMPREPLY < <(compgen -W "$(cd /run/datacrumbs 2>/dev/null && echo [0-9]*)" -- "$word")
      return
      ;;
  esac
  case ${COMP_WORDS[1]} in
    start) words="--job --uid --probe-file --work-dir --marker --cgroup --scheduler --refused" ;;
    stop | await) words="--job" ;;
    status) words="--job --json" ;;
    prolog | epilog) words="--scheduler --marker" ;;
    doctor) words="--plugin" ;;
    *) words="start stop await prolog epilog reap status doctor --help --version" ;;
  esac
  mapfile -t COMPREPLY < <(compgen -W "$words" -- "$word")
}
complete -F _datacrumbs_service datacrumbs_service

_datacrumbs_service_wrapper() {
  local word=${COMP_WORDS[COMP_CWORD]}
  case $COMP_CWORD in
    1) mapfile -t COMPREPLY < <(compgen -W "start stop" -- "$word") ;;
    3) mapfile -t COMPREPLY < <(compgen -u -- "$word") ;;
    4) mapfile -t COMPREPLY < <(compgen -f -- "$word") ;;
  esac
}
complete -o filenames -F _datacrumbs_service_wrapper datacrumbs_service_wrapper

_datacrumbs_wrap() {
  local word=${COMP_WORDS[COMP_CWORD]}
  case ${COMP_WORDS[COMP_CWORD - 1]} in
    --probe-file) mapfile -t COMPREPLY < <(compgen -f -- "$word") ;;
    --user) mapfile -t COMPREPLY < <(compgen -u -- "$word") ;;
    --job) ;;
    *)
      if [[ $word == -* ]]; then
        mapfile -t COMPREPLY < <(compgen -W "--job --user --probe-file --help --version" -- "$word")
      else
        mapfile -t COMPREPLY < <(compgen -c -- "$word")
      fi
      ;;
  esac
}
complete -F _datacrumbs_wrap datacrumbs_wrap

# What the wrappers add; files for the rest, as sbatch itself has no completion.
_datacrumbs_submit() {
  local word=${COMP_WORDS[COMP_CWORD]}
  if [[ $word == --d* ]]; then
    mapfile -t COMPREPLY < <(compgen -W \
      "--datacrumbs-enable --datacrumbs-probe-file --datacrumbs-dry-run --datacrumbs-help --datacrumbs-version" -- "$word")
  else
    mapfile -t COMPREPLY < <(compgen -f -- "$word")
  fi
}
complete -o filenames -F _datacrumbs_submit datacrumbs_sbatch datacrumbs_salloc datacrumbs_srun
