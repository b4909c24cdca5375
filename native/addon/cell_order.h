// A cell, ordered of its template's nursery.
#pragma once

#include "addon/cell_process.h"
#include "addon/jail_pipes.h"
#include "core/descriptor.h"
#include "core/status.h"

namespace codejail {

// What the server has of a cell that is about to be.
struct NewCell {
  ParentEnds pipes;
  Descriptor request;  // which the cell reads at its call
  CellEnds ends;
};

// Makes what a cell is given, and sends it to the nursery. `spec`: a descriptor.
Status order_cell(const Descriptor& nursery, int spec, NewCell& cell);

}  // namespace codejail
