// The key ring of the namespace, which is open before the keys are: until then nothing opens.
#pragma once
#include <atomic>

#include "storage/ns/key_ring.h"

namespace outcrop::server {

class LateKeyRing final : public ns::KeyRing {
 public:
  /// `ring` is borrowed, and outlives whoever may still ask.
  void set(ns::KeyRing* ring) { x_ring.store(ring, std::memory_order_release); }
  Result<ns::DataKey> open(std::string_view envelope) override {
    ns::KeyRing* const ring = x_ring.load(std::memory_order_acquire);
    return ring != nullptr ? ring->open(envelope)
                           : fail(Errc::access_denied, "the keys are not there yet");
  }

 private:
  std::atomic<ns::KeyRing*> x_ring{nullptr};
};

}  // namespace outcrop::server
