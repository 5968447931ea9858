// A request body out of a string.
#pragma once
#include <algorithm>
#include <cstring>
#include <string>

#include "api/http/message.h"

namespace outcrop::admin::test {

class Body final : public http::BodyReader {
 public:
  explicit Body(std::string text) : x_text(std::move(text)) {}
  Task<std::size_t> read_some(MutBytes out) override {
    const std::size_t n = std::min(out.size(), x_text.size() - x_at);
    std::memcpy(out.data(), x_text.data() + x_at, n);
    x_at += n;
    co_return n;
  }
  std::optional<std::uint64_t> content_length() const override { return x_text.size(); }

 private:
  std::string x_text;
  std::size_t x_at = 0;
};

}  // namespace outcrop::admin::test
