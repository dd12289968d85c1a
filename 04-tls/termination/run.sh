# run.sh: the scenes of 04, termination. Each line is a link, and what plays on it.
SERVER=proxy
. ../../common/scene.sh

scene legs
scene offload
finish
