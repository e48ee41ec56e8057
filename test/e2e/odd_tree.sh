#!/bin/bash
# odd_tree.sh FOLDER: fills the empty FOLDER with one of everything that a file system can hold. What needs root (devices,
# other owners, capabilities, trusted attributes) is left out for another user.
set -euo pipefail
cd "$1"
root() { [ "$(id -u)" -eq 0 ]; }

mkdir -p plain/deep/deeper empty-folder sticky setgid
printf 'hello\n' >plain/hello.txt
: >plain/empty
head -c 3000000 /dev/urandom >plain/random.bin
seq 1 400000 >plain/deep/numbers.txt
printf '#!/bin/sh\necho hi\n' >plain/run.sh
chmod 0755 plain/run.sh
chmod 0000 plain/empty
chmod 1777 sticky
chmod 2775 setgid
cp /bin/true plain/setuid
chmod 4755 plain/setuid

# Links (one name each: archives know hard links to files only): relative, absolute, dangling, to a folder, long target.
ln -s hello.txt plain/link
ln -s /etc/hostname plain/absolute
ln -s nowhere plain/dangling
ln -s deep plain/folder-link
ln -s "$(printf 'x%.0s' {1..200})/$(printf 'y%.0s' {1..200})" plain/long-link
ln plain/hello.txt plain/deep/deeper/hard
ln plain/hello.txt another-hard

mkfifo fifo
perl -MSocket -e 'socket(S,PF_UNIX,SOCK_STREAM,0) and bind(S,sockaddr_un("socket")) or die'

# Names: longest, blanks, newline, quotes, glob characters, not UTF-8, looks like an option, dots.
mkdir names
cd names
: >"$(printf 'n%.0s' {1..255})"
: >$'line\nbreak'
: >' leading and trailing '
: >$'tab\tand\\backslash'
: >'quotes"and'\''more'
: >'*?[a-z]{b}!'
: >-rf
: >...
: >$'\xff\xfe-not-utf8'
: >$'\xe4\xf6\xfc'
: >$'caf\xc3\xa9'
: >$'\x01\x7f'
mkdir $'folder\xff' && echo in >$'folder\xff/in'
: >"$(printf '\xc3\xa9%.0s' {1..127})a"
cd ..

# Sparse files: hole at the start, in the middle, at the end, nothing but a hole.
truncate -s 20M sparse-all
truncate -s 8M sparse-middle
printf data | dd of=sparse-middle bs=1 seek=4194304 conv=notrunc status=none
printf data | dd of=sparse-middle bs=1 seek=0 conv=notrunc status=none
printf end | dd of=sparse-start bs=1 seek=9000000 conv=notrunc status=none

# Attributes and access lists, where the tools to make them are there.
if command -v setfattr >/dev/null && command -v setfacl >/dev/null; then
  setfattr -n user.comment -v 'a value' plain/hello.txt
  setfattr -n user.binary -v 0x00ff00ff plain/run.sh
  setfattr -n user.empty plain/run.sh
  setfattr -n user.big -v "0x$(printf '41%.0s' {1..3000})" plain/random.bin
  setfattr -n user.on-folder -v yes empty-folder
  setfacl -m u:12345:rw,g:23456:r,m:rwx plain/random.bin
  setfacl -m u:1:---,o::r plain/deep/numbers.txt
  setfacl -m u:12345:rwx plain/deep
  setfacl -d -m u:12345:rwx,g:34567:rx,o::--- plain/deep
  setfacl -d -m u::rwx,g::rx,o::- setgid
fi

if root; then
  mknod character c 1 3
  mknod block b 7 200
  mknod big-minor c 4095 1048575
  cp /bin/true capable
  ! command -v setcap >/dev/null || setcap cap_net_raw,cap_net_admin+ep capable
  chown 1234:5678 plain/deep/numbers.txt
  chown 4294967294:4294967293 fifo
  chown -h 4242:4343 plain/link
  ! command -v setfattr >/dev/null || setfattr -n trusted.root -v only plain/hello.txt
fi

# Times last, since everything above changes them: nanoseconds, before 1970, far future, on links and folders.
touch -d '2001-02-03 04:05:06.123456789' plain/hello.txt
touch -h -d '2002-03-04 05:06:07.987654321' plain/link
touch -d '1969-12-31 23:59:59.999999999 UTC' plain/run.sh
touch -d '1950-06-01 00:00:00.5 UTC' names/-rf 2>/dev/null || touch -d '1950-06-01 00:00:00.5 UTC' ./names/...
touch -d '2200-01-01 00:00:00.000000001 UTC' plain/random.bin
touch -d '@1' fifo
touch -d '2010-10-10 10:10:10.101010101' plain/deep
touch -d '2011-11-11 11:11:11.111111111' plain
touch -d '2012-12-12 12:12:12.121212121' .
