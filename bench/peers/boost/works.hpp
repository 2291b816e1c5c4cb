// The works, by subject.
#pragma once

void yields();
void spawn_join();
void spawn_all();
void parked();
void timers();

void pingpong(bool apart);
void many_to_one(bool apart);
void many_to_many();

void mutex(bool hold);

void skynet_joins();
void skynet_channels();
void fib();
