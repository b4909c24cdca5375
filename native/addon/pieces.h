// Bytes of JavaScript's, in pieces, that a thread of the pool writes one after the other.
#pragma once

#include <napi.h>

#include <algorithm>
#include <cstddef>
#include <vector>

#include "core/descriptor.h"
#include "core/write_whole.h"

namespace codejail {

class Pieces {
 public:
  // An array of Uint8Arrays, which has to be kept as long as these are written.
  explicit Pieces(const Napi::Array& pieces) {
    for (std::uint32_t i = 0; i < pieces.Length(); ++i) {
      const auto piece = pieces.Get(i).As<Napi::Uint8Array>();
      pieces_.push_back({reinterpret_cast<const char*>(piece.Data()), piece.ByteLength()});
      size_ += piece.ByteLength();
    }
  }

  // Of all of them, in bytes.
  [[nodiscard]] std::size_t size() const { return size_; }
  // False with errno where one can't be written.
  [[nodiscard]] bool write_to(const Descriptor& file) const {
    return std::all_of(pieces_.begin(), pieces_.end(), [&file](const Piece& piece) {
      return write_whole(file.get(), piece.bytes, piece.size);
    });
  }

 private:
  struct Piece {
    const char* bytes;
    std::size_t size;
  };
  std::vector<Piece> pieces_;
  std::size_t size_ = 0;
};

}  // namespace codejail
