// Bytes as text: hex and base64 (RFC 4648, with padding). Decoding is strict: one text per value.
#pragma once
#include <string>
#include <string_view>

#include "storage/base/bytes.h"
#include "storage/base/result.h"

namespace outcrop::digest {

/// Lower case.
std::string to_hex(ConstBytes bytes);
/// Upper and lower case; invalid_argument for odd lengths and other characters.
Result<std::string> from_hex(std::string_view text);

std::string to_base64(ConstBytes bytes);
/// invalid_argument unless to_base64() of the result is `text`: no blanks, no missing padding, no
/// stray bits.
Result<std::string> from_base64(std::string_view text);

}  // namespace outcrop::digest
