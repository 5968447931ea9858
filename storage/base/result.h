// Result<T>: a value or an Error, and the TRY macros that hand errors to the caller.
#pragma once
#include <expected>
#include <type_traits>

#include "storage/base/error.h"

namespace outcrop {

/// A class, not an alias, so that [[nodiscard]] sticks; default-constructible because Asio's
/// co_spawn needs it (a default Result<T> of a non-void T is Errc::internal).
template <class T>
class [[nodiscard]] Result : public std::expected<T, Error> {
 public:
  using std::expected<T, Error>::expected;
  Result() : std::expected<T, Error>(make_default()) {}
  Result(std::unexpected<Error>&& e)
      : std::expected<T, Error>(std::move(e)) {}  // NOLINT(google-explicit-constructor)

 private:
  static std::expected<T, Error> make_default() {
    if constexpr (std::is_void_v<T>) {
      return {};
    } else {
      return std::unexpected<Error>(Error(Errc::internal));
    }
  }
};

inline std::unexpected<Error> fail(Errc code, int sys_errno = 0) {
  return std::unexpected<Error>(Error(code, sys_errno));
}
inline std::unexpected<Error> fail(Errc code, std::string detail) {
  return std::unexpected<Error>(Error(code, std::move(detail)));
}
inline std::unexpected<Error> fail(Error error) { return std::unexpected<Error>(std::move(error)); }
inline Result<void> ok() { return {}; }

}  // namespace outcrop

#define OUTCROP_CAT2(a, b) a##b
#define OUTCROP_CAT(a, b) OUTCROP_CAT2(a, b)
#define OUTCROP_TRY_(ret, tmp, lhs, ...)                           \
  auto tmp = (__VA_ARGS__);                                        \
  if (!tmp) {                                                      \
    ret std::unexpected<::outcrop::Error>(std::move(tmp).error()); \
  }                                                                \
  lhs = *std::move(tmp)
#define OUTCROP_TRYV_(ret, tmp, ...)                               \
  auto tmp = (__VA_ARGS__);                                        \
  if (!tmp) {                                                      \
    ret std::unexpected<::outcrop::Error>(std::move(tmp).error()); \
  }
/// TRY(auto x, f()): x = the value of f(), or return its error. TRYV(f()) for Result<void>.
/// CO_TRY and CO_TRYV are the same inside a coroutine. Use them as statements in braces only.
#define TRY(lhs, ...) OUTCROP_TRY_(return, OUTCROP_CAT(try_, __COUNTER__), lhs, __VA_ARGS__)
#define TRYV(...) OUTCROP_TRYV_(return, OUTCROP_CAT(try_, __COUNTER__), __VA_ARGS__)
#define CO_TRY(lhs, ...) OUTCROP_TRY_(co_return, OUTCROP_CAT(try_, __COUNTER__), lhs, __VA_ARGS__)
#define CO_TRYV(...) OUTCROP_TRYV_(co_return, OUTCROP_CAT(try_, __COUNTER__), __VA_ARGS__)
