// An S3 client for tests of a server: any headers, any way to sign, and all of the answer.
#pragma once
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tools/bench/connection.h"
#include "tools/bench/response.h"
#include "tools/bench/signer.h"
#include "tools/selftest/stopper.h"

namespace outcrop::selftest {

using Pairs = std::vector<std::pair<std::string, std::string>>;

enum class Signing : std::uint8_t {
  header,     ///< as it should be
  presigned,  ///< in the query
  wrong,      ///< with another secret
  stranger,   ///< with a key that nobody has
  anonymous,
};

struct Request {
  std::string method = "GET";
  std::string path = "/";  ///< not encoded
  Pairs query{};           ///< not encoded
  Pairs headers{};         ///< names in lower case
  std::string body{};
  Signing signing = Signing::header;
  std::optional<std::string> payload_hash{};  ///< empty: the SHA-256 of the body
};

struct Reply {
  int status = 0;
  std::map<std::string, std::string> headers{};  ///< names in lower case
  std::string body{};
  std::string header(const std::string& name) const;
  /// "404 NoSuchKey", "200".
  std::string text() const;
  std::string code() const { return std::string(bench::xml_text(body, "Code")); }
};

/// The longest answer that is taken.
inline constexpr std::size_t kMaxBody = 64 << 20;

/// One request at a time over one connection. Borrows all it is given.
class HttpClient {
 public:
  HttpClient(const bench::Target& target,
             const bench::Options& options,
             Stopper& stopper,
             Executor executor);

  /// Errors: timed_out with the stopper's reason; io_error, corrupt: no complete answer came.
  Task<Reply> send(Request request);
  /// Closes the connection after so many bytes of the body. Errors as of send().
  Task<> break_off(Request request, std::size_t bytes);
  void abort() { x_connection.abort(); }
  bench::Connection& connection() { return x_connection; }

 private:
  std::string make_head(const Request& request);
  Task<> connect();
  void sign(const Request& request, const std::string& path, std::string& query, Pairs& headers);
  bench::Signer& signer(Signing signing);
  Task<Reply> receive(const Request& request);
  Task<std::string> receive_head();
  Task<std::string> receive_body(const bench::ResponseHead& head);
  Task<> receive_more();

  const bench::Options& x_options;
  Stopper& x_stopper;
  bench::Connection x_connection;
  const std::string x_host;
  bench::Signer x_signer, x_wrong, x_stranger;
  std::string x_input;  ///< received and not taken yet
  std::vector<char> x_scratch;
};

/// "a=b&c=d", encoded and sorted as the signature wants it.
std::string canonical_query(const Pairs& query);

}  // namespace outcrop::selftest
