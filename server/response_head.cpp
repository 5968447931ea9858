#include "server/response_head.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <ctime>

namespace outcrop::server {
namespace {

std::string_view reason_phrase(int status) {
  switch (status) {
    case 100:
      return "Continue";
    case 200:
      return "OK";
    case 201:
      return "Created";
    case 202:
      return "Accepted";
    case 204:
      return "No Content";
    case 206:
      return "Partial Content";
    case 301:
      return "Moved Permanently";
    case 302:
      return "Found";
    case 303:
      return "See Other";
    case 304:
      return "Not Modified";
    case 307:
      return "Temporary Redirect";
    case 308:
      return "Permanent Redirect";
    case 400:
      return "Bad Request";
    case 401:
      return "Unauthorized";
    case 403:
      return "Forbidden";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 408:
      return "Request Timeout";
    case 409:
      return "Conflict";
    case 411:
      return "Length Required";
    case 412:
      return "Precondition Failed";
    case 413:
      return "Content Too Large";
    case 416:
      return "Range Not Satisfiable";
    case 417:
      return "Expectation Failed";
    case 429:
      return "Too Many Requests";
    case 500:
      return "Internal Server Error";
    case 501:
      return "Not Implemented";
    case 503:
      return "Service Unavailable";
    case 507:
      return "Insufficient Storage";
    default:
      return "Status";  // a phrase must be there: botocore fails on an empty one
  }
}

void append_number(std::string& out, std::uint64_t n) {
  std::array<char, 20> digits;
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), n).ptr;
  out.append(digits.data(), end);
}

void append_value(std::string& out, std::string_view value) {
  const std::size_t at = out.size();
  out.append(value);
  for (std::size_t i = at; i < out.size(); ++i) {
    const auto c = static_cast<unsigned char>(out[i]);
    if ((c < 0x20 && c != '\t') || c == 0x7f) {
      out[i] = ' ';
    }
  }
}

}  // namespace

bool has_no_body(int status) { return status / 100 == 1 || status == 204 || status == 304; }

std::string write_head(const http::Response& response, const HeadExtras& extras) {
  std::size_t size = 256;
  for (const http::Header& h : response.headers) {
    size += h.name.size() + h.value.size() + 4;
  }
  std::string out;
  out.reserve(size);
  out.append("HTTP/1.1 ");
  append_number(out, static_cast<std::uint64_t>(response.status));
  out.append(" ").append(reason_phrase(response.status));
  out.append("\r\nDate: ").append(extras.date);
  out.append("\r\nServer: Outcrop");
  // The S3 layer sends the id itself, in the place AWS has it.
  const bool has_id = std::ranges::any_of(
      response.headers, [](const http::Header& h) { return h.name == "x-amz-request-id"; });
  if (!has_id) {
    out.append("\r\nx-amz-request-id: ").append(extras.request_id);
  }
  for (const http::Header& h : response.headers) {
    out.append("\r\n");
    append_value(out, h.name);
    out.append(": ");
    append_value(out, h.value);
  }
  if (extras.content_length && !has_no_body(response.status)) {
    out.append("\r\nContent-Length: ");
    append_number(out, *extras.content_length);
  }
  if (extras.close) {
    out.append("\r\nConnection: close");
  } else if (extras.say_keep_alive) {
    out.append("\r\nConnection: keep-alive");
  }
  out.append("\r\n\r\n");
  return out;
}

std::string http_date(std::int64_t unix_seconds) {
  static constexpr std::array<std::string_view, 7> kDays = {"Sun", "Mon", "Tue", "Wed",
                                                            "Thu", "Fri", "Sat"};
  static constexpr std::array<std::string_view, 12> kMonths = {
      "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const std::time_t t = unix_seconds;
  std::tm utc{};
  ::gmtime_r(&t, &utc);
  std::string out;
  const auto two = [&out](int n) {
    out.push_back(static_cast<char>('0' + n / 10 % 10));
    out.push_back(static_cast<char>('0' + n % 10));
  };
  out.append(kDays[static_cast<std::size_t>(utc.tm_wday)]).append(", ");
  two(utc.tm_mday);
  out.append(" ").append(kMonths[static_cast<std::size_t>(utc.tm_mon)]).append(" ");
  append_number(out, static_cast<std::uint64_t>(utc.tm_year + 1900));
  out.append(" ");
  two(utc.tm_hour);
  out.append(":");
  two(utc.tm_min);
  out.append(":");
  two(utc.tm_sec);
  out.append(" GMT");
  return out;
}

}  // namespace outcrop::server
