#!/bin/bash
# list_tree.sh FOLDER [PATH...]: everything that can be seen of a tree from outside, in an order and a form that two trees
# can be compared by, without what lies below PATHs (such as ./dist): one record per entry (type, mode, owner, time to the
# nanosecond, size, link target, device), the hard links, all extended attributes with the access lists and capabilities
# in them, all contents.
set -euo pipefail
export LC_ALL=C
cd "$1"
shift
left_out=(-false)
for path in "$@"; do left_out+=(-o -path "$path"); done
files() { find . \( "${left_out[@]}" \) -prune -o \( "$@" \); }
files -printf '%p\t%y %m %U:%G %T@ ' \
  \( -type d -printf '-\t\t\0' -o -type l -printf '%s\t%l\t\0' \
  -o \( -type b -o -type c \) -printf '-\t' -exec stat --printf '%t:%T\t\0' {} \; -o -printf '%s\t\t\0' \) |
  sort -z | tr '\0' '\n'
echo '== hard links'
files ! -type d -links +1 -printf '%i %p\0' | sort -z | awk 'BEGIN { RS = "\0" } {
  inode = $1; name = substr($0, length(inode) + 2)
  if (!(inode in first)) first[inode] = name; else print first[inode] " = " name }' | sort
echo '== attributes'
! command -v getfattr >/dev/null || files -print0 | sort -z | xargs -0 -r getfattr -h -d -m - -e hex --absolute-names 2>/dev/null
echo '== contents'
files -type f -print0 | sort -z | xargs -0 -r sha256sum -z | tr '\0' '\n'
