package pricing

import "strings"

// Material is one kind of packing material: how many, at what price each, for how much.
type Material struct {
	Count int64 `json:"count"`
	Unit  int64 `json:"unit_pence"`
	Price int64 `json:"price_pence"`
}

// Materials are what a move is packed in. They are priced even when the customer provides them;
// only the packing line of the quote is then zero.
type Materials struct {
	SmallBox      Material `json:"small_box"`
	MediumBox     Material `json:"medium_box"`
	LargeBox      Material `json:"large_box"`
	ExtraSmallBox Material `json:"extra_small_box"` // no rule needs one
	RobeCarton    Material `json:"robe_carton"`
	MattressCover Material `json:"mattress_cover"`
	Tape          Material `json:"tape"`

	// Paper is counted in 0.0001 packs; its price comes from the exact figure.
	Paper Material `json:"paper"`

	// Price is the sum of all prices above.
	Price int64 `json:"price_pence"`
}

// Boxes counts boxes and cartons, which decide how much tape is used. Covers are no boxes.
func (m Materials) Boxes() int64 {
	return sum(m.SmallBox.Count, m.MediumBox.Count, m.LargeBox.Count, m.ExtraSmallBox.Count,
		m.RobeCarton.Count)
}

// Service is the packing service of one room.
type Service struct {
	Room    string `json:"room"`
	Chosen  bool   `json:"chosen"`
	Offered bool   `json:"offered"` // something in the room goes into boxes
	Items   int64  `json:"items"`   // what goes into boxes
	Hours   int64  `json:"hours"`   // tenths of an hour, rounded; the price uses the exact value
	Price   int64  `json:"price_pence"`
}

func materials(c Config, rooms []Room, volume int64) Materials {
	var m Materials
	for _, room := range rooms {
		for _, item := range room.Items {
			qty := atLeastZero(item.Qty)
			if qty == 0 {
				continue
			}
			switch item.Packing {
			case PackSmallBox:
				m.SmallBox.Count = sum(m.SmallBox.Count, max(1, qty/20))
			case PackMediumBox:
				m.MediumBox.Count = sum(m.MediumBox.Count, max(1, qty/15))
			case PackLargeBox:
				m.LargeBox.Count = sum(m.LargeBox.Count, max(1, qty/10))
			case PackWardrobeBox, PackRobeCarton:
				m.RobeCarton.Count = sum(m.RobeCarton.Count, qty)
			case PackMattressCover:
				m.MattressCover.Count = sum(m.MattressCover.Count, qty)
			}
		}
	}
	m.Tape.Count = started(m.Boxes(), 10)
	// 0.15 packs for a cubic metre.
	m.Paper.Count = mulDiv(volume, 15, 100)

	for _, line := range []struct {
		material *Material
		unit     int64
	}{
		{&m.SmallBox, c.SmallBox},
		{&m.MediumBox, c.MediumBox},
		{&m.LargeBox, c.LargeBox},
		{&m.ExtraSmallBox, c.ExtraSmallBox},
		{&m.RobeCarton, c.RobeCarton},
		{&m.MattressCover, c.MattressCover},
		{&m.Tape, c.Tape},
	} {
		line.material.Unit = atLeastZero(line.unit)
		line.material.Price = mulDiv(line.material.Count, line.unit, 1)
		m.Price = sum(m.Price, line.material.Price)
	}
	m.Paper.Unit = atLeastZero(c.Paper)
	m.Paper.Price = mulDiv(volume, mulDiv(c.Paper, 15, 1), 100*cubicMetre)
	m.Price = sum(m.Price, m.Paper.Price)
	return m
}

func services(c Config, rooms []Room) []Service {
	list := make([]Service, 0, len(rooms))
	for _, room := range rooms {
		s := Service{Room: room.Name, Chosen: room.Pack}
		for _, item := range room.Items {
			switch item.Packing {
			case PackSmallBox, PackMediumBox, PackLargeBox:
				s.Items = sum(s.Items, item.Qty)
			}
		}
		s.Offered = s.Items > 0
		if s.Offered {
			perHour := int64(20)
			if strings.Contains(strings.ToLower(room.Name), "kitchen") {
				perHour = 15
			}
			// Half an hour is the least that is charged.
			halfItems, halfPerHour := 2*s.Items, perHour
			if halfItems < halfPerHour {
				halfItems = halfPerHour
			}
			s.Hours = mulDiv(halfItems, 10, 2*halfPerHour)
			s.Price = mulDiv(halfItems, c.PackingLabourPerHour, 2*halfPerHour)
		}
		list = append(list, s)
	}
	return list
}
