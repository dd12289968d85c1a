# run.sh: the scenes of lesson 04. Each line is a link, and what plays on it.
. ../common/scene.sh

scene handshake --rtt 50
scene round_trips --rtt 50 -- --early-data
scene nagle_flights --rtt 50
scene cost
scene trust
scene mutual -- --require-client-cert
scene dh
scene forward_secrecy -- --ciphers ECDHE+AESGCM:AES128-GCM-SHA256
scene eavesdropper
scene tampering
scene replay -- --early-data --anti-replay off
scene anti_replay -- --early-data
scene request_stages
finish
