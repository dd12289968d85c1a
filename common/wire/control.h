// control.h: what the programs may ask wire to do while all run. A program writes a line to
// $WIRE_CONTROL and reads wire's answer, a line. tell.h does so in C; a shell can do it as
// well:
//
//     echo "mute server" >&$WIRE_CONTROL && read -r answer <&$WIRE_CONTROL
#ifndef CONTROL_H
#define CONTROL_H

// Once, before the first program is started. Returns a descriptor that is readable when
// control_answer() has something to do.
int control_begin(void);
void control_answer(void);

// Makes a new connection for one program. Returns the program's end.
int control_new(void);

// In a child that is about to become this program: hands the connection over.
void control_hand_over(int fd);

#endif
