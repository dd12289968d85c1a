# run.sh: the scenes of 08, proxy.
SERVER=proxy
. ../../common/scene.sh

scene forward -- --quiet
scene reverse -- --quiet
scene cache -- --quiet
scene directives -- --quiet
scene revalidate -- --quiet
scene invalidate -- --quiet
scene tunnel -- --quiet
scene upgrade -- --quiet
finish
