//! End to end: real processes, real cameras' protocols, judged from outside.

mod autonomy;
mod browser;
mod cut_off;
mod disk;
mod erase;
mod failover;
mod faults;
mod handover;
mod hostile;
mod kills;
mod long;
mod outages;
mod probe;
mod retry;
mod schedule;
mod settings;
mod stops;
mod switch;
mod tls;
mod token;
mod vanish;
mod windows;
