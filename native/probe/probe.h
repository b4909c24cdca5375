// The probe: runs inside a jail, as a program of its own or in a cell, which can't execute one.
#pragma once

namespace codejail_probe {

// What it is to try, as the words of a command line. The exit status.
int run_probe(int argc, char** argv);

}  // namespace codejail_probe
