#!/usr/bin/env bats
# What comes with the programs that people type: manuals and completions, as `make install` puts them.

bats_require_minimum_version 1.5.0

setup_file() {
  export installed=$BATS_FILE_TMPDIR/installed
  make -s -C "$BATS_TEST_DIRNAME/../.." install DESTDIR="$installed" >/dev/null
}

# Every name that can be typed.
commands() { (cd "$installed/usr" && find bin sbin ! -type d -printf '%f\n' | sort); }

# is WHAT EXPECTED ACTUAL
is() {
  [[ $3 == "$2" ]] || {
    printf '%s is\n  %s\nand should be\n  %s\n' "$1" "$3" "$2"
    return 1
  }
}

# What bash offers for a line: its last word, completed.
bash_offers() {
  # shellcheck disable=SC2016
  env -i PATH="$installed/usr/bin:$installed/usr/sbin:$PATH" bash --norc -c '
    COMP_LINE=$1 COMP_POINT=${#1}
    read -ra COMP_WORDS <<<"$1"
    [[ $1 != *" " ]] || COMP_WORDS+=("")
    COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
    command=${COMP_WORDS[0]}
    source "$2/$command"
    spec=$(complete -p "$command") || exit 1
    [[ $spec =~ -F\ ([^ ]+) ]] || exit 1
    COMPREPLY=()
    "${BASH_REMATCH[1]}" "$command" "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD - 1]}"
    printf "%s\n" "${COMPREPLY[@]}"' - "$1" "$installed/usr/share/bash-completion/completions" |
    sed 's/ *$//' | sort | tr '\n' ' '
}

@test "names of files do not steer the terminal that an error is printed on" {
  name=$'/none\e[2J\nforged\u009b31m'
  for command in "datacrumbs_report summary" "datacrumbs_probes verify" "datacrumbs_probes show"; do
    read -ra words <<<"$command"
    run "$installed/usr/bin/${words[0]}" "${words[1]}" "$name"
    [[ $status == 66 && $output == *'/none\x1b[2J\x0aforged'*'\x9b31m'* ]] || {
      printf '%s: exit code %s: %q\n' "$command" "$status" "$output"
      return 1
    }
  done
}

@test "every command has a manual" {
  for command in $(commands); do
    compgen -G "$installed/usr/share/man/man[18]/$command.[18]" >/dev/null || {
      echo "no manual of $command"
      return 1
    }
  done
}

@test "no manual has a mistake that groff sees" {
  for page in "$installed"/usr/share/man/man*/*; do
    is "what groff says of $page" "" "$(cd "$installed/usr/share/man" && groff -man -Tutf8 -ww -z "$page" 2>&1)"
  done
}

@test "a manual names every option that its program takes" {
  for command in datacrumbs_probes datacrumbs_report datacrumbs_sbatch datacrumbs_service datacrumbs_wrap \
    datacrumbs_sign_probes; do
    page=$(compgen -G "$installed/usr/share/man/man[18]/$command.[18]")
    case $command in
      # Its --help is sbatch's.
      datacrumbs_sbatch) help="--datacrumbs-enable --datacrumbs-probe-file --datacrumbs-dry-run" ;;
      *) help=$(PATH=$installed/usr/bin:$installed/usr/sbin:$PATH "$command" --help) ;;
    esac
    # shellcheck disable=SC2013 # words
    for option in $(grep -oE -- '--[a-z][a-z-]+' <<<"$help" | sort -u); do
      case $option in --help | --version) continue ;; esac
      grep -qF -- "${option//-/\\-}" "$page" || {
        echo "$option of $command is not in its manual"
        return 1
      }
    done
  done
}

@test "the manual of the options in Slurm shows #SBATCH lines" {
  grep -qF '#SBATCH \-\-datacrumbs\-enable' "$installed/usr/share/man/man7/datacrumbs.7"
}

@test "bash completes every command that people type" {
  for command in datacrumbs_probes datacrumbs_report datacrumbs_sign_probes datacrumbs_service \
    datacrumbs_service_wrapper datacrumbs_wrap datacrumbs_sbatch datacrumbs_salloc datacrumbs_srun; do
    [[ -n $(bash_offers "$command -") || -n $(bash_offers "$command ") ]] || {
      echo "nothing is offered for $command"
      return 1
    }
  done
}

@test "bash offers commands, their options, and the values of those" {
  is "for datacrumbs_service st" "start status stop " "$(bash_offers 'datacrumbs_service st')"
  is "for datacrumbs_service status -" "--job --json " "$(bash_offers 'datacrumbs_service status -')"
  is "for --scheduler" "FLUX " "$(bash_offers 'datacrumbs_service prolog --scheduler F')"
  is "for datacrumbs_service_wrapper" "start stop " "$(bash_offers 'datacrumbs_service_wrapper ')"
  is "for a user" "root " "$(bash_offers 'datacrumbs_service_wrapper start 1 roo')"
  is "for datacrumbs_wrap" "--job " "$(bash_offers 'datacrumbs_wrap --j')"
  for command in datacrumbs_sbatch datacrumbs_salloc datacrumbs_srun; do
    is "for $command" "--datacrumbs-dry-run --datacrumbs-enable --datacrumbs-help --datacrumbs-probe-file \
--datacrumbs-version " "$(bash_offers "$command --dat")"
  done
  is "for datacrumbs_probes v" "verify " "$(bash_offers 'datacrumbs_probes v')"
  is "for datacrumbs_report m" "merge " "$(bash_offers 'datacrumbs_report m')"
  is "for datacrumbs_sign_probes k" "key " "$(bash_offers 'datacrumbs_sign_probes k')"
}

# What zsh puts on its screen for a line and two tabs, without its colours.
zsh_offers() {
  zsh -f -c '
    zmodload zsh/zpty
    zpty shell "TERM=dumb zsh -f -i"
    # The line editor tells when it reads: before that a tab is a tab.
    zpty -w shell "fpath=($2 \$fpath); autoload -Uz compinit; compinit -u -D; PS1=; LISTMAX=1000
      zle-line-init() { zle -M rea\dy; }; zle -N zle-line-init"
    zpty -r -m shell screen "*ready*"
    zpty -w -n shell "$1"$'"'\t\t'"'
    zpty -w shell $'"'\C-u'"'"echo en\d"
    zpty -r -m shell screen "*end*"
    print -r -- $screen
    zpty -d shell' - "$1" "$installed/usr/share/zsh/vendor-completions"
}

@test "zsh completes every command that people type" {
  for line in "datacrumbs_service sta:status" "datacrumbs_service_wrapper st:stop" \
    "datacrumbs_wrap --us:user" "datacrumbs_sbatch --datacrumbs-p:datacrumbs-probe-file" \
    "datacrumbs_salloc --datacrumbs-e:datacrumbs-enable" "datacrumbs_srun --datacrumbs-d:datacrumbs-dry-run" \
    "datacrumbs_probes ver:verify" "datacrumbs_report su:summary" "datacrumbs_sign_probes k:key"; do
    shown=$(zsh_offers "${line%%:*}")
    [[ $shown == *"${line##*:}"* ]] || {
      printf 'for %s zsh shows\n%s\n' "${line%%:*}" "$shown"
      return 1
    }
  done
}
