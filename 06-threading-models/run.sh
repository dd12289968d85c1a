# run.sh: the scenes of lesson 06. Most start the servers that they compare themselves, beside this
# one.
. ../common/scene.sh

scene models
scene idle
scene cpu_bound
scene load_balance
scene crash
scene race
more cores
scene queue_full
more system_calls
more disk
more cascade
more fork_and_locks
scene silent
more talk
more hang_up
more pipelined
finish
