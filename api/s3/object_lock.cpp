#include "api/s3/object_lock.h"

#include <algorithm>
#include <array>
#include <chrono>

#include "api/s3/call.h"
#include "api/s3/headers.h"
#include "api/s3/xml_document.h"
#include "api/s3/xml_out.h"

namespace outcrop::s3 {
namespace {

using ns::RetentionMode;

constexpr std::string_view kModeHeader = "x-amz-object-lock-mode",
                           kDateHeader = "x-amz-object-lock-retain-until-date",
                           kHoldHeader = "x-amz-object-lock-legal-hold";

/// Takes `width` digits from the front.
std::optional<unsigned> digits(std::string_view& text, std::size_t width) {
  const std::string_view head = text.substr(0, width);
  const auto value = head.size() == width && head.find_first_not_of("0123456789") == head.npos
                         ? parse_number(head)
                         : std::nullopt;
  text.remove_prefix(head.size());
  return value ? std::optional(static_cast<unsigned>(*value)) : std::nullopt;
}

bool skip(std::string_view& text, char c) {
  const bool there = text.starts_with(c);
  text.remove_prefix(there ? 1 : 0);
  return there;
}

std::optional<std::int64_t> take_date(std::string_view& text) {
  const auto year = digits(text, 4);
  const bool first = skip(text, '-');
  const auto month = digits(text, 2);
  const bool second = skip(text, '-');
  const auto day = digits(text, 2);
  if (!year || !first || !month || !second || !day) {
    return std::nullopt;
  }
  const std::chrono::year_month_day date{std::chrono::year(static_cast<int>(*year)),
                                         std::chrono::month(*month), std::chrono::day(*day)};
  constexpr std::int64_t kDay = 86'400;
  return date.ok() ? std::optional(std::chrono::sys_days(date).time_since_epoch().count() * kDay)
                   : std::nullopt;
}

std::optional<std::int64_t> take_time(std::string_view& text) {
  const auto hour = digits(text, 2);
  const bool first = skip(text, ':');
  const auto minute = digits(text, 2);
  const bool second = skip(text, ':');
  const auto seconds = digits(text, 2);
  if (!hour || !first || !minute || !second || !seconds || *hour > 23 || *minute > 59 ||
      *seconds > 59) {
    return std::nullopt;
  }
  std::int64_t out = *hour * 3600 + *minute * 60 + *seconds;
  if (skip(text, '.')) {
    const std::size_t length = std::min(text.find_first_not_of("0123456789"), text.size());
    if (length == 0 || length > 9) {
      return std::nullopt;
    }
    out += text.substr(0, length).find_first_not_of('0') != text.npos ? 1 : 0;
    text.remove_prefix(length);
  }
  return out;
}

/// "Z" or "+01:00", and nothing behind it.
std::optional<std::int64_t> offset_of(std::string_view text) {
  if (text == "Z") {
    return 0;
  }
  const bool minus = text.starts_with('-');
  if (!minus && !text.starts_with('+')) {
    return std::nullopt;
  }
  text.remove_prefix(1);
  const auto hours = digits(text, 2);
  skip(text, ':');
  const auto minutes = digits(text, 2);
  if (!hours || !minutes || *hours > 14 || *minutes > 59 || !text.empty()) {
    return std::nullopt;
  }
  const std::int64_t out = *hours * 3600 + *minutes * 60;
  return minus ? -out : out;
}

std::unexpected<S3Error> bad_lock(std::string message,
                                  std::string_view name,
                                  std::string_view value) {
  return bad_argument(std::move(message), std::string(name), std::string(value));
}

Outcome<RetentionMode> mode_of(const pugi::xml_node& node) {
  S3_TRY(const std::string text, xml::text_of(node));
  const auto mode = parse_mode(text);
  return mode ? Outcome<RetentionMode>(*mode) : fail(Code::malformed_xml);
}

/// Days or Years; too many are none that there could be.
Outcome<std::uint32_t> period_of(const pugi::xml_node& node, std::uint32_t most) {
  S3_TRY(const std::string text, xml::text_of(node));
  const bool negative = text.starts_with('-');
  const auto value = parse_number(std::string_view(text).substr(negative ? 1 : 0));
  if (!value) {
    return fail(Code::malformed_xml);
  }
  if (negative || *value == 0) {
    return fail(Code::invalid_retention_period);
  }
  if (*value > most) {
    return fail(Code::invalid_retention_period,
                "Default retention period cannot be longer than " + std::to_string(most) +
                    (most == ns::kMaxRetentionYears ? " years." : " days."));
  }
  return static_cast<std::uint32_t>(*value);
}

Outcome<> read_default(const pugi::xml_node& node, ns::BucketLock& out) {
  std::optional<RetentionMode> mode;
  std::optional<std::uint32_t> days, years;
  S3_TRYV(xml::for_each_child(node, [&](std::string_view name, const pugi::xml_node& field) {
    if (name == "Mode") {
      return xml::set_once(mode, mode_of(field));
    }
    if (name == "Days") {
      return xml::set_once(days, period_of(field, ns::kMaxRetentionDays));
    }
    return name == "Years" ? xml::set_once(years, period_of(field, ns::kMaxRetentionYears))
                           : Outcome<>(fail(Code::malformed_xml));
  }));
  if (!mode || days.has_value() == years.has_value()) {
    return fail(Code::malformed_xml);
  }
  out = {.enabled = true, .mode = *mode, .days = days.value_or(0), .years = years.value_or(0)};
  return {};
}

/// The one child of a Rule.
Outcome<> read_rule(const pugi::xml_node& rule, ns::BucketLock& out) {
  bool found = false;
  S3_TRYV(xml::for_each_child(rule, [&](std::string_view name, const pugi::xml_node& node) {
    if (name != "DefaultRetention" || std::exchange(found, true)) {
      return Outcome<>(fail(Code::malformed_xml));
    }
    return read_default(node, out);
  }));
  return found ? Outcome<>() : fail(Code::malformed_xml);
}

Outcome<std::optional<ns::Retention>> retention_of_headers(const Call& call) {
  const std::string_view mode = call.header(kModeHeader).value_or("");
  const std::string_view date = call.header(kDateHeader).value_or("");
  if (mode.empty() && date.empty()) {
    return std::nullopt;
  }
  if (mode.empty() || date.empty()) {
    return bad_lock(
        "x-amz-object-lock-retain-until-date and x-amz-object-lock-mode must both be supplied",
        mode.empty() ? kModeHeader : kDateHeader, "");
  }
  const auto parsed = parse_mode(mode);
  if (!parsed) {
    return bad_lock("Unknown wormMode directive.", kModeHeader, mode);
  }
  const auto until = parse_retain_until(date);
  if (!until) {
    return bad_lock("The retain until date must be provided in ISO 8601 format", kDateHeader, date);
  }
  if (*until <= call.context.clock().wall_ns() / 1'000'000'000) {
    return bad_lock("The retain until date must be in the future!", kDateHeader, date);
  }
  return ns::Retention{*parsed, *until};
}

bool may(const Call& call, policy::Action action, std::string_view key) {
  return authorize(call.asker, action, call.bucket(), key).has_value();
}

}  // namespace

std::string_view mode_name(RetentionMode mode) {
  return mode == RetentionMode::none         ? ""
         : mode == RetentionMode::governance ? "GOVERNANCE"
                                             : "COMPLIANCE";
}

std::optional<RetentionMode> parse_mode(std::string_view text) {
  for (const RetentionMode mode : {RetentionMode::governance, RetentionMode::compliance}) {
    if (text == mode_name(mode)) {
      return mode;
    }
  }
  return std::nullopt;
}

std::optional<std::int64_t> parse_retain_until(std::string_view text) {
  const auto date = take_date(text);
  if (!date) {
    return std::nullopt;
  }
  std::int64_t at = *date;
  if (!text.empty()) {
    const bool separated = skip(text, 'T');
    const auto time = take_time(text);
    const auto offset = offset_of(text);
    if (!separated || !time || !offset) {
      return std::nullopt;
    }
    at += *time - *offset;
  }
  return at > 0 && at <= ns::kLastRetention ? std::optional(at) : std::nullopt;
}

Outcome<ns::BucketLock> parse_lock_configuration(std::string text) {
  xml::Document document(std::move(text));
  S3_TRY(const pugi::xml_node root, document.parse("ObjectLockConfiguration"));
  bool enabled = false, ruled = false;
  ns::BucketLock out{.enabled = true};
  S3_TRYV(xml::for_each_child(root, [&](std::string_view name, const pugi::xml_node& node) {
    if (name == "Rule" && !std::exchange(ruled, true)) {
      return read_rule(node, out);
    }
    const auto value = xml::text_of(node);
    if (name != "ObjectLockEnabled" || std::exchange(enabled, true) || !value ||
        *value != "Enabled") {
      return Outcome<>(fail(Code::malformed_xml));
    }
    return Outcome<>();
  }));
  return enabled ? Outcome<ns::BucketLock>(out) : fail(Code::malformed_xml);
}

std::string lock_configuration_document(const ns::BucketLock& lock) {
  XmlWriter xml("ObjectLockConfiguration");
  xml.text("ObjectLockEnabled", "Enabled");
  if (lock.mode != RetentionMode::none) {
    xml.open("Rule").open("DefaultRetention").text("Mode", mode_name(lock.mode));
    xml.number(lock.years > 0 ? "Years" : "Days", lock.years > 0 ? lock.years : lock.days);
    xml.close().close();
  }
  return std::move(xml).take();
}

Outcome<ns::Retention> parse_retention(std::string text) {
  xml::Document document(std::move(text));
  S3_TRY(const pugi::xml_node root, document.parse("Retention"));
  std::optional<RetentionMode> mode;
  std::optional<std::int64_t> until;
  S3_TRYV(xml::for_each_child(root, [&](std::string_view name, const pugi::xml_node& node) {
    if (name == "Mode") {
      return xml::set_once(mode, mode_of(node));
    }
    const auto value = xml::text_of(node);
    const auto date = value ? parse_retain_until(*value) : std::nullopt;
    if (name != "RetainUntilDate" || until || !date) {
      return Outcome<>(fail(Code::malformed_xml));
    }
    until = date;
    return Outcome<>();
  }));
  if (mode.has_value() != until.has_value()) {
    return fail(Code::malformed_xml);
  }
  return mode ? ns::Retention{*mode, *until} : ns::Retention{};
}

Outcome<bool> parse_legal_hold(std::string text) {
  xml::Document document(std::move(text));
  S3_TRY(const pugi::xml_node root, document.parse("LegalHold"));
  std::optional<bool> on;
  S3_TRYV(xml::for_each_child(root, [&](std::string_view name, const pugi::xml_node& node) {
    const auto value = xml::text_of(node);
    if (name != "Status" || on || !value || (*value != "ON" && *value != "OFF")) {
      return Outcome<>(fail(Code::malformed_xml));
    }
    on = *value == "ON";
    return Outcome<>();
  }));
  return on ? Outcome<bool>(*on) : fail(Code::malformed_xml);
}

bool takes_lock(OpId op) {
  return op == OpId::put_object || op == OpId::copy_object || op == OpId::create_multipart_upload;
}

bool is_lock_header(std::string_view name) {
  return name == kModeHeader || name == kDateHeader || name == kHoldHeader;
}

Async<Outcome<ns::ObjectLock>> requested_lock(Call& call) {
  ns::ObjectLock out;
  S3_CO_TRY(const auto retention, retention_of_headers(call));
  out.retention = retention.value_or(ns::Retention{});
  if (const auto hold = call.header(kHoldHeader).value_or(""); !hold.empty()) {
    if (hold != "ON" && hold != "OFF") {
      co_return bad_lock("Legal Hold must be either of 'ON' or 'OFF'", kHoldHeader, hold);
    }
    out.hold = hold == "ON" ? ns::LegalHold::on : ns::LegalHold::off;
  }
  if (!out.empty()) {
    S3_CO_TRY(const ns::BucketInfo bucket, co_await call.ns.get_bucket(call.bucket()));
    if (!bucket.lock.enabled) {
      co_return fail(Code::invalid_request, std::string(kNoObjectLock));
    }
  }
  co_return out;
}

void add_lock_headers(const Call& call, const ns::ObjectInfo& info, http::Response& response) {
  const ns::ObjectLock& lock = info.attributes.lock;
  if (lock.empty()) {
    return;
  }
  static const policy::Action retention = policy::find_action("s3:GetObjectRetention").value();
  static const policy::Action hold = policy::find_action("s3:GetObjectLegalHold").value();
  if (lock.retention.mode != RetentionMode::none && may(call, retention, call.key())) {
    response.set(std::string(kModeHeader), std::string(mode_name(lock.retention.mode)));
    response.set(std::string(kDateHeader), format_iso_seconds(lock.retention.until));
  }
  if (lock.hold != ns::LegalHold::unset && may(call, hold, call.key())) {
    response.set(std::string(kHoldHeader), lock.hold == ns::LegalHold::on ? "ON" : "OFF");
  }
}

bool bypasses_governance(const Call& call, std::string_view key) {
  static const policy::Action bypass = policy::find_action("s3:BypassGovernanceRetention").value();
  return same_text(call.header("x-amz-bypass-governance-retention").value_or(""), "true") &&
         may(call, bypass, key);
}

}  // namespace outcrop::s3
