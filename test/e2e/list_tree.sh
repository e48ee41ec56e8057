#!/bin/bash
# list_tree.sh FOLDER: everything that can be seen of a tree from outside, in an order and a form that two trees can be
# compared by: one NUL-ended record per entry (type, mode, owner, size, time to the nanosecond, link target, device,
# hard-link peers), then all extended attributes with the access lists and capabilities in them, then all contents.
set -euo pipefail
export LC_ALL=C
cd "$1"
find . -printf '%p\t%y %m %U:%G %n %T@ ' \
  \( -type d -printf '-\t\t\0' -o -type l -printf '%s\t%l\t\0' \
  -o \( -type b -o -type c \) -printf '-\t' -exec stat -c '%t:%T%n' --printf '%t:%T\t\0' {} \; -o -printf '%s\t\t\0' \) |
  sort -z | tr '\0' '\n'
echo '== hard links'
find . ! -type d -links +1 -printf '%i %p\0' | sort -z | awk 'BEGIN { RS = "\0" } {
  inode = $1; name = substr($0, length(inode) + 2)
  if (!(inode in first)) first[inode] = name; else print first[inode] " = " name }' | sort
echo '== attributes'
find . -print0 | sort -z | xargs -0 -r getfattr -h -d -m - -e hex --absolute-names 2>/dev/null
echo '== contents'
find . -type f -print0 | sort -z | xargs -0 -r sha256sum -z | tr '\0' '\n'
