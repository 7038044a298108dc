//! End to end: real processes, real cameras' protocols, judged from outside.

mod browser;
mod cut_off;
mod disk;
mod erase;
mod failover;
mod faults;
mod hostile;
mod kills;
mod long;
mod outages;
mod probe;
mod schedule;
mod switch;
mod token;
mod vanish;
mod windows;
