// tell.h: for scenes: asks wire to change something while all run, over $WIRE_CONTROL.
//
//     mute NODE, unmute NODE            nothing leaves or reaches it any more: no FIN, no RST
//     block-udp NODE, unblock-udp NODE
//     drop NODE tcp:PORT:N (or udp:)    of the packets with bytes in them that NODE sends from
//                                       now on, from or to this port (0: any), the Nth is lost
//     give NODE ADDRESS                 takes the address from the node that has it
//     backends BALANCER NODE:PORT,...   new flows go to these
#ifndef TELL_H
#define TELL_H

// Returns when it is done: NULL; or why it could not be done ("there is no wire").
const char *wire_tell(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
