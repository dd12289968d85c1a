# run.sh: the scenes of 04, sidecar. Each line is a link, and what plays on it. The scenes start
# sidecars and apps of their own, each pod at a loopback address of its own.
SERVER=sidecar
. ../../common/scene.sh

scene plain -- --quiet
scene wire --rtt 20 --trace --node shop --node stock -- stock: ./app --host 127.0.0.1 \
    -- stock: ./sidecar --host 127.0.0.1 --inbound-host 10.0.0.2 --name stock \
    -- shop: ./sidecar --host 127.0.0.1 --name shop --services scenes/services \
    -- shop: ./play --host 127.0.0.1
scene identity -- --quiet
scene retry -- --quiet
scene multiply -- --quiet
scene timeout -- --quiet
scene breaker -- --quiet
scene rate -- --quiet
scene trace -- --quiet
scene metrics -- --quiet
scene thin -- --quiet
scene hop -- --quiet
scene memory -- --quiet
scene order -- --quiet
scene rotate -- --quiet
scene replace -- --quiet
finish
