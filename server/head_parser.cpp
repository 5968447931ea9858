#include "server/head_parser.h"

#include <boost/asio/buffer.hpp>
#include <boost/beast/http/basic_parser.hpp>

#include "server/framing.h"

namespace outcrop::server {
namespace {

namespace bh = boost::beast::http;
using boost::beast::error_code;
using boost::beast::string_view;

constexpr std::size_t kUsualFields = 16;

class HeadSink final : public bh::basic_parser<true> {
 public:
  explicit HeadSink(http::Request& out) : x_out(out) {
    header_limit(kMaxHeadBytes);
    body_limit(boost::none);  // sizes are the handler's business
    x_out.headers.reserve(kUsualFields);
  }

 private:
  void on_request_impl(
      bh::verb, string_view method, string_view target, int, error_code&) override {
    x_out.method.assign(method.data(), method.size());
    x_out.target.assign(target.data(), target.size());
  }
  void on_field_impl(bh::field, string_view name, string_view value, error_code&) override {
    http::Header& h = x_out.headers.emplace_back();
    h.name.assign(name.data(), name.size());
    for (char& c : h.name) {
      c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
    }
    h.value.assign(value.data(), value.size());
  }
  void on_header_impl(error_code&) override {}
  // Bodies never pass through the parser.
  void on_response_impl(int, string_view, int, error_code&) override {}
  void on_body_init_impl(const boost::optional<std::uint64_t>&, error_code&) override {}
  std::size_t on_body_impl(string_view, error_code&) override { return 0; }
  void on_chunk_header_impl(std::uint64_t, string_view, error_code&) override {}
  std::size_t on_chunk_body_impl(std::uint64_t, string_view, error_code&) override { return 0; }
  void on_finish_impl(error_code&) override {}

  http::Request& x_out;
};

}  // namespace

Result<void> parse_head(std::string_view head, http::Request& out) {
  HeadSink sink(out);
  error_code ec;
  const std::size_t used = sink.put(boost::asio::buffer(head.data(), head.size()), ec);
  if (ec) {
    return fail(Errc::invalid_argument, ec.message());
  }
  if (!sink.is_header_done() || used != head.size()) {
    return fail(Errc::invalid_argument, "head is not complete");
  }
  return ok();
}

}  // namespace outcrop::server
