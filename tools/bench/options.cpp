#include "tools/bench/options.h"

#include <fmt/format.h>

#include <charconv>

namespace outcrop::bench {
namespace {

constexpr std::array<std::string_view, kOpCount> kNames{"put", "get", "head", "list", "delete"};
constexpr std::uint64_t kPartsMax = 10'000;

std::unexpected<Error> refuse(std::string line) { return fail(Errc::config, std::move(line)); }

Result<std::uint64_t> unit(std::string_view text) {
  struct Unit {
    std::string_view name;
    std::uint64_t factor;
  };
  static constexpr std::array kUnits{Unit{"", 1},
                                     Unit{"B", 1},
                                     Unit{"KiB", 1ULL << 10},
                                     Unit{"MiB", 1ULL << 20},
                                     Unit{"GiB", 1ULL << 30},
                                     Unit{"TiB", 1ULL << 40},
                                     Unit{"KB", 1000},
                                     Unit{"MB", 1'000'000},
                                     Unit{"GB", 1'000'000'000}};
  for (const Unit& u : kUnits) {
    if (u.name == text) {
      return u.factor;
    }
  }
  return refuse(fmt::format("'{}' is not a unit: use B, KiB, MiB, GiB, TiB, KB, MB or GB", text));
}

}  // namespace

std::string_view name(Op op) { return kNames[static_cast<std::size_t>(op)]; }

Result<std::uint64_t> parse_size(std::string_view text) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{}) {
    return refuse(fmt::format("'{}' is not a size: write 4096, 4KiB or 16MiB", text));
  }
  TRY(const std::uint64_t factor, unit(text.substr(static_cast<std::size_t>(end - text.data()))));
  std::uint64_t bytes = 0;
  if (__builtin_mul_overflow(number, factor, &bytes)) {
    return refuse(fmt::format("'{}' is too large", text));
  }
  return bytes;
}

Result<std::vector<unsigned>> parse_shares(std::string_view text,
                                           std::span<const std::string_view> names) {
  std::vector<unsigned> shares(names.size());
  unsigned sum = 0;
  for (std::string_view rest = text; !rest.empty();) {
    const std::string_view item = rest.substr(0, rest.find(','));
    rest.remove_prefix(std::min(rest.size(), item.size() + 1));
    const std::size_t equals = item.find('=');
    const std::string_view value =
        equals == std::string_view::npos ? "100" : item.substr(equals + 1);
    const auto op = std::ranges::find(names, item.substr(0, equals));
    unsigned percent = 0;
    const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), percent);
    if (op == names.end() || error != std::errc{} || end != value.data() + value.size()) {
      return refuse(fmt::format("'{}' is not part of a mix: write {}=30,{}=70 with {}", item,
                                names[0], names[1], fmt::join(names, ", ")));
    }
    shares[static_cast<std::size_t>(op - names.begin())] += std::min(percent, 1000U);
    sum += std::min(percent, 1000U);
  }
  if (sum != 100) {
    return refuse(fmt::format("the percentages of --mix add up to {}, not to 100", sum));
  }
  return shares;
}

Result<Mix> parse_mix(std::string_view text) {
  TRY(const std::vector<unsigned> shares, parse_shares(text, kNames));
  Mix mix{};
  std::ranges::copy(shares, mix.begin());
  return mix;
}

Result<Endpoint> parse_endpoint(std::string_view text) {
  Endpoint endpoint;
  const auto bad = [text] {
    return refuse(
        fmt::format("'{}' is not an endpoint: write http://HOST:PORT or https://HOST", text));
  };
  std::string_view rest = text;
  if (rest.starts_with("https://")) {
    endpoint.tls = true;
    rest.remove_prefix(8);
  } else if (rest.starts_with("http://")) {
    rest.remove_prefix(7);
  } else {
    return bad();
  }
  if (rest.ends_with('/')) {
    rest.remove_suffix(1);
  }
  if (rest.empty() || rest.find_first_of("/?#@ \r\n") != std::string_view::npos) {
    return bad();
  }
  endpoint.authority = rest;
  endpoint.port = endpoint.tls ? "443" : "80";
  const std::size_t bracket = rest.find(']');
  const std::size_t colon = rest.find(':', bracket == std::string_view::npos ? 0 : bracket);
  if (colon != std::string_view::npos) {
    endpoint.port = rest.substr(colon + 1);
    rest = rest.substr(0, colon);
  }
  if (rest.starts_with('[') && rest.ends_with(']')) {
    rest = rest.substr(1, rest.size() - 2);
  }
  if (rest.empty() || endpoint.port.empty() ||
      endpoint.port.find_first_not_of("0123456789") != std::string::npos) {
    return bad();
  }
  endpoint.host = rest;
  return endpoint;
}

Result<void> check_access(const Options& o) {
  if (o.access_key.empty() || o.secret_key.empty()) {
    return refuse(
        "no credentials: give --access-key and --secret-key, or set AWS_ACCESS_KEY_ID and "
        "AWS_SECRET_ACCESS_KEY");
  }
  if (!o.endpoint.tls && !o.ca_file.empty()) {
    return refuse("--ca-file is for an https endpoint");
  }
  if (!o.endpoint.tls && o.insecure) {
    return refuse("--insecure is for an https endpoint");
  }
  return ok();
}

Result<void> check(const Options& o) {
  TRYV(check_access(o));
  if (o.concurrency < 1 || o.concurrency > 10'000) {
    return refuse("--concurrency must be 1 to 10000");
  }
  if (o.threads < 1 || o.threads > std::min(o.concurrency, 256U)) {
    return refuse("--threads must be 1 to 256, and not more than --concurrency");
  }
  if (!(o.duration_s > 0 && o.duration_s <= 86'400)) {
    return refuse("--duration must be above 0 and at most a day (86400)");
  }
  if (!(o.timeout_s >= 1 && o.timeout_s <= 3600)) {
    return refuse("--timeout must be 1 to 3600 seconds");
  }
  if (o.objects < 1 || o.objects > 100'000'000) {
    return refuse("--objects must be 1 to 100000000");
  }
  if (o.list_keys < 1 || o.list_keys > 1000) {
    return refuse("--list-keys must be 1 to 1000");
  }
  if (o.range_size > o.size) {
    return refuse("--range-size is larger than --size");
  }
  if (o.multipart && (o.part_size == 0 || o.size == 0 || (o.size - 1) / o.part_size >= kPartsMax)) {
    return refuse("--part-size cuts --size into none or more than 10000 parts");
  }
  return ok();
}

}  // namespace outcrop::bench
