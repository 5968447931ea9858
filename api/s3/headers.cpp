#include "api/s3/headers.h"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <ctime>
#include <limits>

namespace outcrop::s3 {
namespace {

constexpr std::int64_t kNsPerSecond = 1'000'000'000;
constexpr std::string_view kBlank = " \t";

/// A moment in parts, without the time zone lock that gmtime takes: listings have a date per key.
struct Utc {
  explicit Utc(std::int64_t at)
      : seconds(std::chrono::seconds(at)),
        days(std::chrono::floor<std::chrono::days>(seconds)),
        date(days),
        time(seconds - days) {}
  std::chrono::sys_seconds seconds;
  std::chrono::sys_days days;
  std::chrono::year_month_day date;
  std::chrono::hh_mm_ss<std::chrono::seconds> time;
};

/// A number of fixed width with leading zeros.
void append_digits(std::string& out, unsigned value, unsigned width) {
  const std::size_t at = out.size();
  out.resize(at + width);
  for (unsigned i = width; i > 0; --i, value /= 10) {
    out[at + i - 1] = static_cast<char>('0' + value % 10);
  }
}

void append_date(std::string& out, const Utc& utc) {
  append_digits(out, static_cast<unsigned>(static_cast<int>(utc.date.year())), 4);
  out.push_back('-');
  append_digits(out, static_cast<unsigned>(utc.date.month()), 2);
  out.push_back('-');
  append_digits(out, static_cast<unsigned>(utc.date.day()), 2);
}

void append_time(std::string& out, const Utc& utc) {
  append_digits(out, static_cast<unsigned>(utc.time.hours().count()), 2);
  out.push_back(':');
  append_digits(out, static_cast<unsigned>(utc.time.minutes().count()), 2);
  out.push_back(':');
  append_digits(out, static_cast<unsigned>(utc.time.seconds().count()), 2);
}

std::string_view trim(std::string_view s) {
  const auto begin = s.find_first_not_of(kBlank);
  if (begin == std::string_view::npos) {
    return {};
  }
  return s.substr(begin, s.find_last_not_of(kBlank) - begin + 1);
}

/// Calls `use` for each element of a comma-separated list.
template <class Use>
void for_each_element(std::string_view list, Use use) {
  while (!list.empty()) {
    const auto comma = list.find(',');
    use(trim(list.substr(0, comma)));
    list = comma == std::string_view::npos ? std::string_view{} : list.substr(comma + 1);
  }
}

struct RawRange {
  std::optional<std::uint64_t> first, last;
};

/// Digits only; a number too large to represent is beyond the end of every object.
std::optional<std::uint64_t> saturating(std::string_view text) {
  if (text.empty() || text.find_first_not_of("0123456789") != std::string_view::npos) {
    return std::nullopt;
  }
  return parse_number(text).value_or(std::numeric_limits<std::uint64_t>::max());
}

/// One "bytes=" range; empty if the header is anything else.
std::optional<RawRange> parse_range(std::string_view header) {
  constexpr std::string_view kUnit = "bytes=";
  if (!same_text(header.substr(0, kUnit.size()), kUnit)) {
    return std::nullopt;
  }
  const std::string_view spec = trim(header.substr(kUnit.size()));
  const auto dash = spec.find('-');
  if (dash == std::string_view::npos) {
    return std::nullopt;
  }
  const std::string_view first = spec.substr(0, dash);
  const std::string_view last = spec.substr(dash + 1);
  const RawRange out{saturating(first), saturating(last)};
  const bool bad = (!first.empty() && !out.first) || (!last.empty() && !out.last) ||
                   (!out.first && !out.last) || (out.first && out.last && *out.last < *out.first);
  return bad ? std::nullopt : std::optional(out);
}

}  // namespace

std::string format_http_date(std::int64_t ns) { return format_http_seconds(ns / kNsPerSecond); }
std::string format_iso_date(std::int64_t ns) { return format_iso_seconds(ns / kNsPerSecond); }

std::string format_http_seconds(std::int64_t seconds) {
  static constexpr std::string_view kDays = "SunMonTueWedThuFriSat";
  static constexpr std::string_view kMonths = "JanFebMarAprMayJunJulAugSepOctNovDec";
  const Utc utc(seconds);
  std::string out;
  out.reserve(29);
  out.append(kDays.substr(3 * std::chrono::weekday(utc.days).c_encoding(), 3)).append(", ");
  append_digits(out, static_cast<unsigned>(utc.date.day()), 2);
  out.append(" ").append(kMonths.substr(3 * (static_cast<unsigned>(utc.date.month()) - 1), 3));
  out.push_back(' ');
  append_digits(out, static_cast<unsigned>(static_cast<int>(utc.date.year())), 4);
  out.push_back(' ');
  append_time(out, utc);
  return out.append(" GMT");
}

std::string format_iso_seconds(std::int64_t seconds) {
  const Utc utc(seconds);
  std::string out;
  out.reserve(24);
  append_date(out, utc);
  out.push_back('T');
  append_time(out, utc);
  return out.append(".000Z");
}

std::optional<std::int64_t> parse_http_date(std::string_view text) {
  const std::string copy(text);
  for (const char* form :
       {"%a, %d %b %Y %H:%M:%S GMT", "%A, %d-%b-%y %H:%M:%S GMT", "%a %b %e %H:%M:%S %Y"}) {
    std::tm parts{};
    if (const char* end = strptime(copy.c_str(), form, &parts);
        end != nullptr && *end == '\0' && end == copy.c_str() + copy.size()) {
      return static_cast<std::int64_t>(timegm(&parts));
    }
  }
  return std::nullopt;
}

std::optional<std::uint64_t> parse_number(std::string_view text) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || error != std::errc{} || end != text.data() + text.size()) {
    return std::nullopt;
  }
  return value;
}

RangeResult resolve_range(std::string_view header, std::uint64_t size) {
  using Kind = RangeResult::Kind;
  const auto raw = parse_range(header);
  if (!raw) {
    return {};
  }
  if (!raw->first) {  // the last n bytes
    const std::uint64_t n = std::min(*raw->last, size);
    return n == 0 ? RangeResult{Kind::unsatisfiable, {}}
                  : RangeResult{Kind::partial, {size - n, n}};
  }
  if (*raw->first >= size) {
    return {Kind::unsatisfiable, {}};
  }
  const std::uint64_t last = std::min(raw->last.value_or(size - 1), size - 1);
  return {Kind::partial, {*raw->first, last - *raw->first + 1}};
}

Outcome<ns::ByteRange> resolve_copy_range(std::string_view header, std::uint64_t size) {
  const auto raw = parse_range(header);
  if (!raw || !raw->first || !raw->last) {
    return bad_argument(
        "The x-amz-copy-source-range value must be of the form bytes=first-last where first and "
        "last are the zero-based offsets of the first and last bytes to copy",
        "x-amz-copy-source-range", std::string(header));
  }
  if (*raw->last >= size) {
    return fail(Code::invalid_range,
                "Range specified is not valid for source object of size: " + std::to_string(size),
                {{"RangeRequested", std::string(header)}});
  }
  return ns::ByteRange{*raw->first, *raw->last - *raw->first + 1};
}

bool etag_listed(std::string_view header, std::string_view etag, EtagCompare compare) {
  bool found = false;
  for_each_element(header, [&](std::string_view one) {
    const bool weak = one.starts_with("W/");
    found =
        found || one == "*" || (unquoted(one) == etag && (compare == EtagCompare::weak || !weak));
  });
  return found;
}

Outcome<> check_read(const ns::Conditions& c, const ns::ObjectInfo& info) {
  const std::int64_t modified = info.mtime_ns / kNsPerSecond;
  const auto failed = [](const char* name) {
    return fail(Code::precondition_failed, {}, {{"Condition", name}});
  };
  if (c.if_match) {
    if (!etag_listed(*c.if_match, info.etag, EtagCompare::strong)) {
      return failed("If-Match");
    }
  } else if (c.if_unmodified_since && modified > *c.if_unmodified_since) {
    return failed("If-Unmodified-Since");
  }
  if (c.if_none_match) {
    if (etag_listed(*c.if_none_match, info.etag, EtagCompare::weak)) {
      return fail(Code::not_modified);
    }
  } else if (c.if_modified_since && modified <= *c.if_modified_since) {
    return fail(Code::not_modified);
  }
  return {};
}

bool valid_header_value(std::string_view value) {
  return std::ranges::none_of(value,
                              [](unsigned char c) { return (c < 0x20 && c != '\t') || c == 0x7f; });
}

std::string strip_aws_chunked(std::string_view encoding) {
  std::string out;
  bool found = false;
  for_each_element(encoding, [&](std::string_view one) {
    found = found || same_text(one, "aws-chunked");
    if (!one.empty() && !same_text(one, "aws-chunked")) {
      out += out.empty() ? "" : ",";
      out += one;
    }
  });
  return found ? out : std::string(encoding);
}

std::string_view unquoted(std::string_view etag) {
  if (etag.starts_with("W/")) {
    etag.remove_prefix(2);
  }
  if (etag.size() >= 2 && etag.front() == '"' && etag.back() == '"') {
    etag = etag.substr(1, etag.size() - 2);
  }
  return etag;
}

std::string quoted_etag(std::string_view etag) {
  std::string out;
  out.reserve(etag.size() + 2);
  out += '"';
  out += etag;
  out += '"';
  return out;
}

bool same_text(std::string_view a, std::string_view b) {
  const auto low = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
  return std::ranges::equal(a, b, {}, low, low);
}

std::string lower(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  });
  return out;
}

}  // namespace outcrop::s3
