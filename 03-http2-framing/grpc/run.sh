# run.sh: the scenes of 03, grpc. Each line is a link, and what plays on it.
. ../../common/scene.sh

scene unary -- --quiet
scene kinds --rtt 20 -- --quiet
scene cancel --rtt 20
scene deadline --rtt 10
scene errors -- --quiet
scene schema -- --quiet
scene speed --rtt 10 --node rest --node server --node client -- rest: ./rest -- server: ./server --quiet -- client: ./play
finish
