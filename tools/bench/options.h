// What `outcrop bench s3` is asked to do.
#pragma once
#include <array>
#include <chrono>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "storage/base/result.h"
#include "storage/digest/algorithm.h"

namespace outcrop::bench {

enum class Op : std::uint8_t { put, get, head, list, del };
inline constexpr std::size_t kOpCount = 5;
std::string_view name(Op op);

/// Percentages by operation; they add up to 100.
using Mix = std::array<unsigned, kOpCount>;

struct Endpoint {
  bool tls = false;
  std::string host;  ///< without brackets
  std::string port;
  std::string authority;  ///< the Host header
};

struct Options {
  Endpoint endpoint;
  std::string access_key;
  std::string secret_key;
  std::string session_token;
  std::string region = "us-east-1";
  std::string bucket = "outcrop-bench";
  std::string prefix = "bench/";
  std::uint64_t size = 4096;
  unsigned concurrency = 16;
  unsigned threads = 1;
  double duration_s = 10;
  std::uint64_t ops = 0;  ///< 0: until the duration is over
  Mix mix{0, 100, 0, 0, 0};
  bool multipart = false;
  std::uint64_t part_size = 8 << 20;
  std::uint64_t range_size = 0;  ///< 0: whole objects
  std::uint64_t objects = 1000;
  unsigned list_keys = 1000;
  bool sign_payload = false;
  digest::Algorithm checksum = digest::Algorithm::none;
  bool prepare = true;
  bool clean = false;
  double timeout_s = 30;
  bool insecure = false;
  std::string ca_file;
  int server_pid = 0;  ///< 0: not given
  bool json = false;
};

// Errors are Errc::config with a line for the user.
/// "4096", "4KiB", "16MiB", "1GiB"; also k, M, G as powers of 1000 when written KB, MB, GB.
Result<std::uint64_t> parse_size(std::string_view text);
/// "put=30,get=70" with these names; they add up to 100.
Result<std::vector<unsigned>> parse_shares(std::string_view text,
                                           std::span<const std::string_view> names);
/// "put=30,get=70"
Result<Mix> parse_mix(std::string_view text);
/// "http://host:port" or "https://host"
Result<Endpoint> parse_endpoint(std::string_view text);
/// How the endpoint is reached: credentials, and no option for https without it.
Result<void> check_access(const Options& options);
/// What single options cannot say: access, limits that depend on each other.
Result<void> check(const Options& options);

}  // namespace outcrop::bench
