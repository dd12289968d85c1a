# run.sh: the scenes of 04, login. Each line is a link, and what plays on it.
. ../../common/scene.sh

scene session -- --scrypt-n 2
scene token -- --scrypt-n 2
scene tamper -- --scrypt-n 2
scene attacks -- --scrypt-n 2
scene logout -- --scrypt-n 2
scene restart -- --scrypt-n 2
scene two_servers -- --scrypt-n 2
scene size -- --scrypt-n 2
SERVER=store
scene cost --rtt 5 -- --quiet
SERVER=server
scene cookies -- --scrypt-n 2
scene stolen -- --scrypt-n 2
finish
