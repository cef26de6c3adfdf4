package modem

import (
	"context"
	"strconv"
	"strings"
)

// clear makes room in a full memory, in which a modem refuses to send. What
// has been read or sent goes first. If that frees nothing, the oldest received
// message goes too: the box would rather lose one than be mute (F15).
func (s *session) clear(ctx context.Context) error {
	if _, err := s.command(ctx, "AT+CMGD=1,3", slowLimit); tolerate(err) != nil {
		return err
	}
	answer, err := s.ask(ctx, "AT+CPMS?")
	if err != nil || !full(answer) {
		return err
	}
	listed, err := s.command(ctx, "AT+CMGL=4", slowLimit)
	if err != nil || len(listed) == 0 {
		return tolerate(err)
	}
	place, _, _ := strings.Cut(listed[0], ",")
	index, err := strconv.ParseUint(place, 10, 16)
	if err != nil {
		return nil // not an index: nothing that could be deleted
	}
	s.log.Warn().Msg("a received SMS was deleted: the memory was full")
	_, err = s.command(ctx, "AT+CMGD="+strconv.FormatUint(index, 10), slowLimit)
	return tolerate(err)
}

// full tells whether the first memory in an answer to AT+CPMS? has no place
// left: "SM",20,20,...
func full(answer string) bool {
	fields := strings.Split(answer, ",")
	if len(fields) < 3 {
		return false
	}
	used, err := strconv.Atoi(fields[1])
	total, err2 := strconv.Atoi(fields[2])
	return err == nil && err2 == nil && used >= total
}
