#include "api/http/message.h"

namespace outcrop::http {

std::string_view Request::address() const {
  const std::string_view all = remote;
  if (all.starts_with('[')) {
    return all.substr(1, all.find(']') - 1);
  }
  const std::size_t colon = all.rfind(':');
  const bool v6 = all.find(':') != colon;
  return v6 ? all : all.substr(0, colon);
}

}  // namespace outcrop::http
