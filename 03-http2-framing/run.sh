# run.sh: the scenes of lesson 03. Each line is a link, and what plays on it.
. ../common/scene.sh

scene frames
scene stream_ids
scene interleave --rtt 20
scene page_load --rtt 100 --rate 1600
scene blocking --rtt 60 --rate 8000 --loss 1 --seed 1
scene header_compression
scene windows
scene push
scene events --rtt 60 --loss 2 --seed 1
scene page --rtt 50
scene endings
more ping --rtt 20
finish
