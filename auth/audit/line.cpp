#include "auth/audit/line.h"

#include <charconv>
#include <ctime>

#include "storage/digest/digest.h"
#include "storage/digest/text.h"

namespace outcrop::audit {
namespace {

constexpr std::string_view kSeqField = "{\"seq\":";
constexpr std::string_view kPrevField = ",\"prev\":\"";
constexpr std::string_view kHashField = ",\"hash\":\"";
constexpr std::string_view kEnd = "\"}";
constexpr std::string_view kReplacement = "\xEF\xBF\xBD";  // U+FFFD

// Bytes of the UTF-8 character at the start of `text`; 0: it is none.
std::size_t character(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char lead = byte(0);
  const std::size_t size = lead < 0x80    ? 1
                           : lead < 0xC2  ? 0
                           : lead < 0xE0  ? 2
                           : lead < 0xF0  ? 3
                           : lead <= 0xF4 ? 4
                                          : 0;
  if (size == 0 || text.size() < size) {
    return 0;
  }
  for (std::size_t i = 1; i < size; ++i) {
    if ((byte(i) & 0xC0) != 0x80) {
      return 0;
    }
  }
  const bool overlong = (lead == 0xE0 && byte(1) < 0xA0) || (lead == 0xF0 && byte(1) < 0x90);
  const bool beyond = (lead == 0xED && byte(1) > 0x9F) || (lead == 0xF4 && byte(1) > 0x8F);
  return overlong || beyond ? 0 : size;
}

void append_escaped(std::string& out, std::string_view text) {
  static constexpr std::string_view kHex = "0123456789abcdef";
  text = text.substr(0, kMaxTextBytes);
  while (!text.empty()) {
    const std::size_t size = character(text);
    const char c = text[0];
    if (size == 0) {
      out.append(kReplacement);
    } else if (c == '"' || c == '\\') {
      out.push_back('\\');
      out.push_back(c);
    } else if (const auto code = static_cast<unsigned char>(c); code < 0x20 || code == 0x7F) {
      out.append("\\u00").append({kHex[code >> 4], kHex[code & 15]});
    } else {
      out.append(text.substr(0, size));
    }
    text.remove_prefix(std::max<std::size_t>(size, 1));
  }
}

void append_field(std::string& out, std::string_view name, std::string_view value) {
  if (value.empty()) {
    return;
  }
  out.append(",\"").append(name).append("\":\"");
  append_escaped(out, value);
  out.push_back('"');
}

void append_number(std::string& out, std::string_view name, std::uint64_t value) {
  out.append(",\"").append(name).append("\":").append(std::to_string(value));
}

void append_time(std::string& out, std::int64_t wall_ns) {
  constexpr std::int64_t kSecond = 1'000'000'000;
  const std::int64_t fraction = ((wall_ns % kSecond) + kSecond) % kSecond;
  const auto seconds = static_cast<std::time_t>((wall_ns - fraction) / kSecond);
  std::tm parts{};
  ::gmtime_r(&seconds, &parts);
  std::array<char, 32> text{};
  const std::size_t size = std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%S", &parts);
  std::string micros = std::to_string(fraction / 1000);
  micros.insert(0, 6 - micros.size(), '0');
  out.append("\"time\":\"").append(text.data(), size).append(".").append(micros).append("Z\"");
}

std::string_view name_of(Decision result) {
  switch (result) {
    case Decision::ok:
      return "ok";
    case Decision::denied:
      return "denied";
    case Decision::failed:
      break;
  }
  return "failed";
}

std::string hash_of(std::string_view text) {
  return digest::to_hex(as_bytes(digest::Digest::of(digest::Algorithm::sha256, as_bytes(text))));
}

bool is_hash(std::string_view text) {
  return text.size() == kHashDigits &&
         text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

// Takes `prefix` off.
bool take(std::string_view& text, std::string_view prefix) {
  if (!text.starts_with(prefix)) {
    return false;
  }
  text.remove_prefix(prefix.size());
  return true;
}

std::optional<std::uint64_t> take_number(std::string_view& text) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{}) {
    return std::nullopt;
  }
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return value;
}

}  // namespace

std::string body_of(const Event& event, std::int64_t wall_ns) {
  std::string out;
  out.reserve(256 + event.resource.size() + event.target.size());
  append_time(out, wall_ns);
  append_field(out, "protocol", event.protocol);
  append_field(out, "address", event.address);
  append_field(out, "identity", event.identity);
  if (event.uid) {
    append_number(out, "uid", *event.uid);
  }
  if (event.gid) {
    append_number(out, "gid", *event.gid);
  }
  append_field(out, "export", event.on);
  append_field(out, "request", event.request);
  append_field(out, "action", event.action);
  append_field(out, "resource", event.resource);
  append_field(out, "target", event.target);
  append_field(out, "result", name_of(event.result));
  append_field(out, "status", event.status);
  append_field(out, "reason", event.reason);
  return out;
}

std::string mark_body(std::string_view action,
                      std::string_view reason,
                      std::initializer_list<Count> counts,
                      std::int64_t wall_ns) {
  std::string out;
  append_time(out, wall_ns);
  append_field(out, "protocol", "server");
  append_field(out, "action", action);
  append_field(out, "reason", reason);
  for (const Count& count : counts) {
    append_number(out, count.name, count.value);
  }
  return out;
}

std::string seal(std::string_view body, Link& at) {
  std::string line(kSeqField);
  line.reserve(body.size() + 3 * kHashDigits);
  line.append(std::to_string(++at.seq)).append(kPrevField).append(at.hash).append("\",");
  line.append(body);
  at.hash = hash_of(line);
  return line.append(kHashField).append(at.hash).append(kEnd).append("\n");
}

std::optional<Line> parse_line(std::string_view text) {
  constexpr std::size_t kTail = kHashField.size() + kHashDigits + kEnd.size();
  if (text.size() < kTail || text.size() > kMaxLineBytes) {
    return std::nullopt;
  }
  const std::string_view hashed = text.substr(0, text.size() - kTail);
  std::string_view tail = text.substr(hashed.size());
  std::string_view head = hashed;
  Line out;
  if (!take(head, kSeqField)) {
    return std::nullopt;
  }
  const auto seq = take_number(head);
  if (!seq || *seq == 0 || !take(head, kPrevField) || !is_hash(head.substr(0, kHashDigits)) ||
      !take(tail, kHashField) || !is_hash(tail.substr(0, kHashDigits)) ||
      tail.substr(kHashDigits) != kEnd) {
    return std::nullopt;
  }
  out.prev = head.substr(0, kHashDigits);
  out.link = {*seq, std::string(tail.substr(0, kHashDigits))};
  return hash_of(hashed) == out.link.hash ? std::optional(std::move(out)) : std::nullopt;
}

// Texts have their quotes escaped: what stands between bare quotes is a name.
std::uint64_t count_in(std::string_view line, std::string_view name) {
  const std::string field = ",\"" + std::string(name) + "\":";
  const std::size_t at = line.find(field);
  if (at == std::string_view::npos) {
    return 0;
  }
  std::string_view rest = line.substr(at + field.size());
  return take_number(rest).value_or(0);
}

bool is_mark(std::string_view line, std::string_view action) {
  const std::string field = ",\"protocol\":\"server\",\"action\":\"" + std::string(action) + "\"";
  return line.find(field) != std::string_view::npos;
}

}  // namespace outcrop::audit
