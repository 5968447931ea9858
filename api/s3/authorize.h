// The one decision whether a principal may do something. A Grant cannot be made anywhere else, and
// a Call cannot be made without one.
#pragma once
#include <string_view>

#include "api/s3/error.h"
#include "auth/authenticator.h"

namespace outcrop::s3 {

class Grant {
 public:
  friend Outcome<Grant> authorize(const auth::Principal& principal,
                                  std::string_view action,
                                  std::string_view bucket,
                                  std::string_view key);

 private:
  Grant() = default;
};

/// The root key may do everything, everybody else nothing: AccessDenied.
Outcome<Grant> authorize(const auth::Principal& principal,
                         std::string_view action,
                         std::string_view bucket,
                         std::string_view key);

}  // namespace outcrop::s3
