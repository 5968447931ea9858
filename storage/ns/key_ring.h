// Who opens envelopes for file clients, which send no keys and know of none.
#pragma once
#include <string_view>

#include "storage/base/result.h"
#include "storage/ns/data_key.h"

namespace outcrop::ns {

class KeyRing {
 public:
  virtual ~KeyRing() = default;
  /// The data key in an object's envelope. access_denied where only the client that stored the
  /// object has the key to it, or where the key is disabled or gone. No I/O; any thread.
  virtual Result<DataKey> open(std::string_view envelope) = 0;
};

}  // namespace outcrop::ns
