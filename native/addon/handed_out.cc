#include "addon/handed_out.h"

namespace codejail {

int HandedOut::add(Descriptor descriptor) {
  if (descriptor.valid()) {
    descriptors_.insert(descriptor.get());
  }
  return descriptor.release();
}

void HandedOut::close(int descriptor) {
  const Descriptor closed(descriptor);
  descriptors_.erase(descriptor);
}

void HandedOut::close_all() {
  for (const int descriptor : descriptors_) {
    ::close(descriptor);
  }
  descriptors_.clear();
}

}  // namespace codejail
