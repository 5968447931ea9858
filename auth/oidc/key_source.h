// Where the keys of identity providers come from. Whoever asks never waits: keys are fetched in the
// background, and what is there now is what counts. Any thread.
#pragma once
#include <string>

#include "auth/oidc/jwk.h"

namespace outcrop::oidc {

class KeySource {
 public:
  virtual ~KeySource() = default;
  /// Of the provider with that URL; null: none have come yet.
  virtual KeySetPtr keys(const std::string& issuer) = 0;
  /// Somebody came with a key that is not among them. True: they are fetched soon, so that it is
  /// worth coming again; false: they were a short while ago.
  virtual bool refresh(const std::string& issuer) = 0;
};

}  // namespace outcrop::oidc
