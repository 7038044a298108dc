//! End to end: real processes, real cameras' protocols, judged from outside.

mod browser;
mod erase;
mod faults;
mod hostile;
mod kills;
mod long;
mod outages;
mod probe;
mod switch;
mod vanish;
