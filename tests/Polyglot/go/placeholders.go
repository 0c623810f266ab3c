package main

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha1"
	"encoding/base32"
	"encoding/binary"
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

var braces = regexp.MustCompile(`\{([^}]*)\}`)

// fill replaces what stands in braces in all texts.
func (s *story) fill(value interface{}, now int64) interface{} {
	switch value := value.(type) {
	case string:
		return braces.ReplaceAllStringFunc(value, func(match string) string {
			return s.placeholder(strings.Split(match[1:len(match)-1], " "), now)
		})
	case object:
		filled := object{}
		for key, item := range value {
			filled[key] = s.fill(item, now)
		}
		return filled
	default:
		return value
	}
}

func (s *story) placeholder(words []string, now int64) string {
	switch words[0] {
	case "totp":
		steps := 0
		if len(words) > 2 {
			steps = number(words[2])
		}
		return totp(text(s.saved[words[1]]), now, steps)
	case "wrong":
		near := map[string]bool{}
		for steps := -3; steps <= 3; steps++ {
			near[totp(text(s.saved[words[1]]), now, steps)] = true
		}
		for n := 0; ; n++ {
			if code := fmt.Sprintf("%06d", n); !near[code] {
				return code
			}
		}
	case "other_than":
		return fmt.Sprintf("%06d", (number(text(s.saved[words[1]]))+1)%1000000)
	case "uuid":
		name := "uuid " + words[1]
		if s.saved[name] == nil {
			s.saved[name] = newUUID()
		}
		return text(s.saved[name])
	case "long":
		return strings.Repeat("x", number(words[1]))
	case "lower":
		return strings.ToLower(strings.ReplaceAll(s.placeholder(words[1:], now), "-", ""))
	case "typo":
		code := s.placeholder(words[1:], now)
		if strings.HasSuffix(code, "0") {
			return code[:len(code)-1] + "1"
		}
		return code[:len(code)-1] + "0"
	default:
		parts := strings.Split(words[0], ".")
		if len(parts) == 1 {
			return text(s.saved[parts[0]])
		}
		return text(s.saved[parts[0]].([]interface{})[number(parts[1])])
	}
}

func totp(secret string, seconds int64, steps int) string {
	key, err := base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(secret)
	if err != nil {
		panic(err)
	}
	var counter [8]byte
	binary.BigEndian.PutUint64(counter[:], uint64(seconds/30+int64(steps)))
	mac := hmac.New(sha1.New, key)
	mac.Write(counter[:])
	digest := mac.Sum(nil)
	return fmt.Sprintf("%06d", binary.BigEndian.Uint32(digest[digest[19]&15:])&0x7fffffff%1000000)
}

func number(text string) int {
	number, err := strconv.Atoi(text)
	if err != nil {
		panic(err)
	}
	return number
}

func newUUID() string {
	var id [16]byte
	if _, err := rand.Read(id[:]); err != nil {
		panic(err)
	}
	id[6], id[8] = id[6]&0x0f|0x40, id[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", id[:4], id[4:6], id[6:8], id[8:10], id[10:])
}
