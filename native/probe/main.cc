#include "probe/probe.h"

int main(int argc, char** argv) {
  return codejail_probe::run_probe(argc, argv);
}
