// scenes.h: the scenes that play.c lists, each in a file of its own. A scene starts the servers
// that it compares (lab.h).
#ifndef SCENES_H
#define SCENES_H

void scene_models(void);         // models.c
void scene_idle(void);           // idle.c
void scene_cpu_bound(void);      // cpu_bound.c
void scene_load_balance(void);   // load_balance.c
void scene_crash(void);          // crash.c
void scene_race(void);           // race.c
void scene_cores(void);          // cores.c
void scene_queue_full(void);     // queue_full.c
void scene_system_calls(void);   // system_calls.c
void scene_disk(void);           // disk.c
void scene_cascade(void);        // cascade.c
void scene_fork_and_locks(void); // fork_and_locks.c
void scene_silent(void);         // silent.c
void scene_talk(void);           // talk.c
void scene_hang_up(void);        // hang_up.c
void scene_pipelined(void);      // pipelined.c

#endif
