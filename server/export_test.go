package server

import "github.com/pinferry/pinferry/server/web"

// NetworkRoutes are the paths of the box's own: those of the native door, of the
// key set, of captchas and of no door.
func (s *Server) NetworkRoutes() (all []web.Route, err error) {
	doors, err := s.networkDoors()
	for _, door := range doors {
		switch door.Name {
		case nativeDoor, keySetDoor, captchaDoor, "":
			all = append(all, door.Routes...)
		}
	}
	return all, err
}
