package spec

// Times are the JSON pointers of the spans of time in a container's and a route's
// spec. There they are nanoseconds; nobody should have to read these.
func Times() []string {
	return []string{
		"/stop_grace_period", "/healthcheck/interval", "/healthcheck/timeout", "/healthcheck/start_period",
		"/healthcheck/start_interval", "/drain",
	}
}
