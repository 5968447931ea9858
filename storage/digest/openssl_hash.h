// OpenSSL's low-level hash contexts. Deprecated since 3.0, and used on purpose: they are plain
// structs (no allocation, copyable, state can be stored and resumed) at a third of EVP's cost per
// call, and the EVP functions run the same assembly.
#pragma once
#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/crypto.h>
#include <openssl/md5.h>
#include <openssl/sha.h>
