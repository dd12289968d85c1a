# run.sh: the scenes of lesson 06. Most start the servers that they compare themselves, beside this
# one.
. ../common/scene.sh

scene models
scene idle
scene hog
scene skew
scene crash
scene race
scene cores
scene full
finish
