/* A counter: adds to a whole number of the context. In C, without a C library: the host gives it nothing else. */

#include "theus.h"

#define TEXT(literal) (literal), sizeof(literal) - 1
#define COUNTER TEXT("domain.counter")

/* The host allocates its answers through this. One life is one call, so nothing is ever freed. */
extern uint8_t __heap_base;
static uintptr_t next;

THEUS_EXPORT("cabi_realloc")
void *cabi_realloc(void *old, size_t old_len, size_t align, size_t len) {
    if (next == 0) next = (uintptr_t)&__heap_base;
    uintptr_t at = (next + align - 1) & ~(uintptr_t)(align - 1);
    next = at + len;
    size_t there = __builtin_wasm_memory_size(0) << 16;
    if (next < at || (next > there && __builtin_wasm_memory_grow(0, (next - there + 0xffff) >> 16) == (size_t)-1)) {
        __builtin_trap();
    }
    for (size_t i = 0; i < old_len && i < len; i++) ((uint8_t *)at)[i] = ((uint8_t *)old)[i];
    return (void *)at;
}

static int is(const uint8_t *text, size_t len, const char *other, size_t other_len) {
    if (len != other_len) return 0;
    for (size_t i = 0; i < len; i++) {
        if (text[i] != (uint8_t)other[i]) return 0;
    }
    return 1;
}

/* A MessagePack whole number of up to 64 bits with a sign; 0 where there is something else. */
static int read_int(const uint8_t *at, const uint8_t *end, int64_t *value) {
    if (at >= end) return 0;
    uint8_t mark = *at++;
    if (mark < 0x80 || mark >= 0xe0) {
        *value = (int8_t)mark;
        return 1;
    }
    if (mark < 0xcc || mark > 0xd3) return 0;
    /* 0xcc to 0xcf have no sign and 1, 2, 4, 8 bytes; 0xd0 to 0xd3 are the same with a sign. */
    int has_sign = mark >= 0xd0;
    size_t bytes = (size_t)1 << ((mark - 0xcc) & 3);
    if ((size_t)(end - at) < bytes) return 0;
    uint64_t bits = has_sign && (*at & 0x80) ? ~(uint64_t)0 : 0;
    for (size_t i = 0; i < bytes; i++) bits = bits << 8 | at[i];
    *value = (int64_t)bits;
    return has_sign || *value >= 0;
}

/* The shortest spelling, as the host's own. */
static theus_bytes write_int(int64_t value) {
    uint8_t *at = cabi_realloc(0, 0, 1, 9);
    if (value >= -32 && value < 128) {
        at[0] = (uint8_t)value;
        return (theus_bytes){at, 1};
    }
    at[0] = 0xd3;
    for (int i = 0; i < 8; i++) at[1 + i] = (uint8_t)((uint64_t)value >> (56 - 8 * i));
    return (theus_bytes){at, 9};
}

static theus_result *result(theus_result value) {
    theus_result *kept = cabi_realloc(0, 0, _Alignof(theus_result), sizeof(theus_result));
    *kept = value;
    return kept;
}

static theus_result *failure(const char *code, size_t code_len, const char *message, size_t message_len) {
    return result((theus_result){.failed = 1,
                                 .failure = {{(uint8_t *)code, code_len}, {(uint8_t *)message, message_len}}});
}

/* The only argument, `by`: the host has checked that it is there and a whole number. */
static int64_t by(const uint8_t *args, size_t len) {
    const uint8_t *end = args + len;
    int64_t value;
    if (len > 4 && args[0] == 0x81 && is(args + 1, 3, TEXT("\xa2" "by")) && read_int(args + 4, end, &value)) {
        return value;
    }
    theus_abort(TEXT("the argument is no whole number of 64 bits with a sign"), TEXT(__FILE__), __LINE__, 1);
    __builtin_unreachable();
}

static theus_result *count(int64_t step) {
    int64_t total = 0;
    theus_option_bytes found;
    theus_get(COUNTER, &found);
    if (found.some && !read_int(found.bytes.at, found.bytes.at + found.bytes.len, &total)) {
        return failure(TEXT("TypeError"), TEXT("domain.counter is no whole number"));
    }
    if (__builtin_add_overflow(total, step, &total)) {
        return failure(TEXT("ValueError"), TEXT("the counter is too large to count"));
    }
    theus_bytes sum = write_int(total);
    theus_set(COUNTER, sum.at, sum.len);
    return result((theus_result){.failed = 0, .value = sum});
}

theus_result *theus_run(const uint8_t *process, size_t process_len, const uint8_t *args, size_t args_len) {
    if (is(process, process_len, TEXT("count"))) return count(by(args, args_len));
    theus_abort(TEXT("there is no such process"), TEXT(__FILE__), __LINE__, 1);
    __builtin_unreachable();
}
