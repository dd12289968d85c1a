# run.sh: the scenes of 03, grpc. Each line is a link, and what plays on it.
. ../../common/scene.sh

finish
