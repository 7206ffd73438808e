#!/bin/sh
# Any of our programs in a unit test: writes its arguments, a line each, to the
# file `arguments` in the folder that it is linked into, then does what the
# file `then` says. Linked, not written by the test: a program that was just
# written cannot be run while another test's fork still holds it open.
folder=$(dirname "$0")
printf '%s\n' "$@" > "$folder/arguments"
# shellcheck source=/dev/null
. "$folder/then"
