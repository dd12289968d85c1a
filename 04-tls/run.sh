# The scenes of lesson 04. Each line is a link, and what plays on it.
. ../common/scene.sh

scene handshake --rtt 50
scene roundtrips --rtt 50 -- --early-data
scene trust
scene mutual -- --require-client-cert
finish
