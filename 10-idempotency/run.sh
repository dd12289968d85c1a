# run.sh: the scenes of lesson 10. Each line is how the server is started, and what plays on it;
# scenes that need several servers, or one that dies, start their own.
. ../common/scene.sh

mkdir -p build && rm -f build/scene.journal*
scene double -- --journal build/scene.journal --drop 1
scene once -- --journal build/scene.journal --drop 1
scene timeout -- --journal build/scene.journal --process-ms 400
scene conflict -- --journal build/scene.journal --quiet
scene methods -- --journal build/scene.journal --quiet
scene pages -- --journal build/scene.journal --process-ms 0 --quiet
scene race -- --journal build/scene.journal --quiet
scene crash -- --journal build/scene.journal --quiet
scene expiry -- --journal build/scene.journal --quiet
scene backoff -- --journal build/scene.journal --quiet
scene circuit_breaker -- --journal build/scene.journal --quiet
scene ulid_vs_uuid -- --journal build/scene.journal --quiet
finish
